"""What current makes and takes in an aluminium pot, from the constants of nature.

Sources: Faraday constant, CODATA 2018 (96 485.332 12 C/mol, exact product of e and N_A);
standard atomic weights of aluminium 26.9815385 and oxygen 15.999 (IUPAC 2018). Pure.
"""

FARADAY_C_MOL = 96485.33212
ALUMINIUM_G_MOL = 26.9815385
OXYGEN_G_MOL = 15.999

#: kg of aluminium a kiloampere-hour makes at current efficiency 1 (three electrons an atom).
METAL_KG_KAH = ALUMINIUM_G_MOL / (3 * FARADAY_C_MOL) * 3600

#: kg of alumina (Al2O3) a kg of aluminium is made from.
ALUMINA_KG_KG = (2 * ALUMINIUM_G_MOL + 3 * OXYGEN_G_MOL) / (2 * ALUMINIUM_G_MOL)
