"""What is made of a sealed month for people: workbook, typing sheet, report, ledgers.

Everything here starts from archives alone. Builders are pure: a read month to rows and blocks.
I/O stands in one file each: archives in `sealed`, XLSX in `xlsx_write`, PDF in `typeset`. What
comes from outside is read by `cloud.records`: exports by its `workbook`, scans by its `pdf`.
"""
