"""The constants of nature kiln and steelworks obey, as whole numbers, so that sums are exact.

Units here and in the plants: mass in micrograms (ug), amount in millimoles (mmol), heat in
nanojoules (nJ), temperature in millikelvin above 25 degC (mK); all Python integers.

Sources: atomic weights, IUPAC abridged standard atomic weights 2021 (C 12.011, H 1.008, N 14.007,
O 15.999, Ca 40.078, Mg 24.305, Si 28.085). Enthalpies of formation as tabled on
cementkilns.co.uk/data_enthalpy_formation.html (kJ/mol: calcite -1206.92, dolomite -2330.09, quartz
-910.86, lime -635.09, periclase -601.25, CO2 -393.52, C3S -2929.20, C2S -2307.50, water liquid
-285.830, gaseous -241.826); of CO -110.53, CH4 -74.87 and Fe2O3 -825.50 the NIST Chemistry
WebBook's. Heat capacities of gases: means over 0..350 degC of the Shomate
equations of the NIST Chemistry WebBook. Molar volume 22.414 l: ideal gas at 0 degC, 101.325 kPa
(CODATA 2018). Pure.
"""

#: ug a mmol
C, H, N, OXYGEN = 12_011, 1_008, 14_007, 15_999
CA, MG, SI = 40_078, 24_305, 28_085
CO2, H2O, N2, O2 = C + 2 * OXYGEN, 2 * H + OXYGEN, 2 * N, 2 * OXYGEN
CO, H2, CH4 = C + OXYGEN, 2 * H, C + 4 * H
CACO3, DOLOMITE, SIO2 = CA + C + 3 * OXYGEN, CA + MG + 2 * C + 6 * OXYGEN, SI + 2 * OXYGEN

#: Dry air: 20.95 parts of oxygen, the rest counted as nitrogen (argon too; its CO2 is left out).
AIR_O2, AIR_PARTS = 2095, 10_000

#: Nm3 of ideal gas: 22.414 l a mol are 22.414e-6 m3 a mmol.
NM3_MMOL = 22.414e-6

#: nJ taken up by a mmol: 1206.92 - 635.09 - 393.52 = 178.31 kJ/mol of calcite,
#: 2330.09 - 635.09 - 601.25 - 2 * 393.52 = 306.71 kJ/mol of dolomite,
#: 285.830 - 241.826 = 44.004 kJ/mol of water.
CACO3_NJ, DOLOMITE_NJ, WATER_NJ = 178_310_000_000, 306_710_000_000, 44_004_000_000

#: nJ given back by a mmol of silica: 3 lime + silica -> C3S, 2929.20 - 3 * 635.09 - 910.86 =
#: 113.07 kJ/mol; 2 lime + silica -> C2S, 2307.50 - 2 * 635.09 - 910.86 = 126.46 kJ/mol; three
#: quarters become C3S. Aluminates and ferrites give little (Taylor: C3A 27 kJ/kg) and are left out.
SIO2_NJ = (3 * 113_070_000_000 + 126_460_000_000) // 4

#: nJ a mmol and mK: 29.485 J/(mol K) are 29 485 nJ/(mmol mK).
CP_CO2, CP_H2O, CP_N2, CP_O2 = 42_641, 34_807, 29_485, 30_636
CP_CO, CP_H2, CP_CH4 = 29_648, 29_167, 43_532

#: pJ a ug and mK of hot dust and clinker: 0.9 kJ/(kg K) are 900 nJ a ug and K; an ordinary figure.
CP_SOLID_PJ = 900

#: nJ given off by a mmol that burns to CO2 and vapour: 393.52 kJ/mol of carbon, 393.52 - 110.53 of
#: CO, 241.826 of hydrogen, 393.52 + 2 * 241.826 - 74.87 of methane.
C_NJ, CO_NJ, H2_NJ, CH4_NJ = 393_520_000_000, 282_990_000_000, 241_826_000_000, 802_302_000_000

#: nJ taken up by a mmol of O atoms that leaves haematite: 825.50 kJ/mol of Fe2O3, a third each.
ORE_O_NJ = 275_167_000_000
