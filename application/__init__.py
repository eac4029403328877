"""What happens when someone asks: authorise, load, decide, save. One file a noun, one function a verb."""
