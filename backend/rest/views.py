"""What views of large or frequent answers have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.views import APIView


class ReleasingView(APIView):
    """A view that is gone, with its request and its answer, as soon as the answer is sent.

    REST framework's request holds the view, and the view both of them, and a method of its own: rings that stay until
    the garbage collector comes by, and a worker grows by the answers of some hundred kilobytes that they hold.
    """

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        self.request.parser_context.clear()
        vars(self).clear()
        return response
