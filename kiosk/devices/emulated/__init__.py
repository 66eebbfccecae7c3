"""The machines at the other end of the wire, with faults to order. Product code does not know them."""
