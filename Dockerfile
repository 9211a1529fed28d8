FROM python:3.13-slim AS packages
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A page of a patient's months is a few large buffers: given back at once, or threads' heaps keep the holes they leave.
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=65536
COPY --from=packages /venv /venv
WORKDIR /steadyback
COPY . .
# Bytecode is made here, once: the containers run read-only. The check fails the build if a module is missing.
RUN python -m compileall -q . && SECRET_KEY=only-while-building python manage.py check
# A fresh volume takes its owner from here.
RUN install -d -o 10001 -g 10001 /uploads
# A number, so that an orchestrator can see that it isn't root.
USER 10001:10001
EXPOSE 8000
CMD ["granian", "backend.wsgi:application", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--backpressure", "512", "--workers-kill-timeout", "20s"]
