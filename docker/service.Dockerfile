# syntax=docker/dockerfile:1
# docker build -f docker/service.Dockerfile --target cpu -t posecascade:cpu .
# Without a package index: put wheels into docker/wheels and add --build-arg PIP_NO_INDEX=1 (docs/operations.md).
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ARG PIP_NO_INDEX
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_FIND_LINKS=/wheels
COPY docker/wheels /wheels
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE NOTICE ./
# What changes seldom goes first: the dependencies stay cached while only the code changes.
RUN python3 -m venv /app && /app/bin/pip install --upgrade setuptools \
 && python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > base.txt \
 && /app/bin/pip install -c constraints.txt -r base.txt
COPY service service
COPY models models
COPY export export
COPY posecascade posecascade
# Out goes what serving never loads: onnxruntime's C library (its Python module holds a copy) and
# converters, test suites, NumPy's build tools.
RUN /app/bin/pip install --no-deps --no-build-isolation . && /app/bin/pip uninstall --yes setuptools pip \
 && cd /app/lib/python3*/site-packages && find . -type d -name tests -prune -exec rm -rf {} + \
 && rm -rf numpy/distutils numpy/f2py && cd onnxruntime \
 && rm -rf capi/libonnxruntime.so* datasets quantization tools transformers

FROM ${PYTHON} AS service
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin posecascade \
 && install --directory --owner 10001 --group 10001 /cache
# onnxruntime would otherwise report its use to its makers.
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ORT_DISABLE_TELEMETRY=1 \
    POSECASCADE_HOST=0.0.0.0 POSECASCADE_PORT=8000
USER 10001
EXPOSE 8000
# Live, not ready: a container that drains or warms up is not to be killed for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['POSECASCADE_PORT'] + '/v1/health/live', timeout=2)"]
ENTRYPOINT ["posecascade"]
CMD ["serve"]

FROM build AS build-gpu
RUN python3 -m venv /pip && /pip/bin/pip --python /app/bin/python install -c constraints.txt \
      $(python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['gpu'])")

# The driver comes from the host (NVIDIA Container Toolkit). Mount a volume at /cache, or engines are built at each start.
FROM service AS gpu
COPY --from=build-gpu /app /app
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility XDG_CACHE_HOME=/cache \
    POSECASCADE_RUNTIME=tensorrt
VOLUME /cache

FROM service AS cpu
COPY --from=build /app /app
