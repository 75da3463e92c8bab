"""What is put in place in a training, and taken back."""
