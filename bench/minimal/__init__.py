"""What the server is compared with: the least that a view in Django REST framework can do, on the very same server."""
