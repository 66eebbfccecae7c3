"""The town office (镇社保所): takes cases in, lets staff review them, tells terminals who is due."""
