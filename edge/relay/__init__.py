"""`stackproof relay`: the far side of a one-way site. Forwards signed objects over MQTT, unchanged.

It takes files of a folder or datagrams, keeps each object until the collector's receipt, and is
trusted with nothing: it holds no key of a plant, and reads of an object only whose it is and which
seq. What is no such object is counted and dropped. ADR 0046.
"""
