"""HTTP in: each action reads the request, calls one service and shows the result."""
