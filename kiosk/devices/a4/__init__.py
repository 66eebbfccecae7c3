"""Office printer for certificates: PDF through a CUPS queue, believed only on the printer's own word over IPP."""
