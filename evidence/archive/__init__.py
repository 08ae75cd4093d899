"""The sealed month as one file: container (`ustar`), bag (`bag`), places in it (`paths`)."""
