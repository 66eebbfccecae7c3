"""Camera through OpenCV."""
