"""Camera through OpenCV: one colour picture, and beside it an infrared one where the module has it."""
