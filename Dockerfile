# The service without development tools. The five packages are copied, not installed: the image's root comes
# first on the path, so nothing installed can stand in for them.
FROM python:3.13-slim

ENV PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SUNLOT_DATA_DIR=/data \
    SUNLOT_HOST=0.0.0.0 \
    SUNLOT_LOG_FORMAT=json

COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt && rm /tmp/requirements.txt

COPY domain /app/domain
COPY application /app/application
COPY infrastructure /app/infrastructure
COPY projections /app/projections
COPY api /app/api
RUN printf '#!/usr/local/bin/python\nimport sys\nfrom api.cli.main import main\nsys.exit(main())\n' > /usr/local/bin/sunlot \
 && chmod 755 /usr/local/bin/sunlot \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin sunlot \
 && install -d -o sunlot -g sunlot -m 700 /data /key \
 && install -d -o sunlot -g sunlot -m 755 /data/ledger

USER sunlot
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
ENTRYPOINT ["sunlot"]
CMD ["serve"]
