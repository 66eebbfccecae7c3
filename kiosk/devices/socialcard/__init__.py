"""Social security card (社会保障卡): its chip, read through a CRT-310 motor reader or PC/SC."""
