from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "backend.rest"
    label = "rest"
