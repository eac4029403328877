# The service without development tools. It is built as a wheel and laid into /app, which comes first on Python's path:
# nothing else that is installed can stand in for our packages.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements-build.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY application application
COPY infrastructure infrastructure
COPY projections projections
COPY api api
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && pip install --no-cache-dir --no-deps --no-index --target /app /wheel/*.whl

FROM python:3.13-slim
ENV PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PATH=/app/bin:$PATH \
    SUNLOT_DATA_DIR=/data \
    SUNLOT_HOST=0.0.0.0 \
    SUNLOT_LOG_FORMAT=json
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt && rm /tmp/requirements.txt
COPY --from=build /app /app
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin sunlot \
 && install -d -o sunlot -g sunlot -m 700 /data /key \
 && install -d -o sunlot -g sunlot -m 755 /data/ledger

USER sunlot
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
ENTRYPOINT ["sunlot"]
CMD ["serve"]
