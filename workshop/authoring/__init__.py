"""Tools of those who write and run the course: build the notebooks, run them in order, check them."""
