# article-qa on the CPU: docker compose up, or
#   docker build -t article-qa . && docker run --read-only --tmpfs /tmp -p 127.0.0.1:7860:7860 article-qa
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The CPU build of torch: the default one brings gigabytes of CUDA.
RUN pip install "torch==2.13.*" --index-url https://download.pytorch.org/whl/cpu
COPY pyproject.toml README.md LICENSE THIRD_PARTY.md ./
COPY LICENSES LICENSES
COPY src src
ARG EXTRAS=mcp
RUN pip install ".[${EXTRAS}]" \
 && find /venv -name "__pycache__" -prune -exec rm -rf {} + \
 && rm -rf /venv/lib/python3.11/site-packages/torch/include /venv/lib/python3.11/site-packages/torch/test

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 app && install -d -o app /objects
COPY --from=build /venv /venv
WORKDIR /app
COPY app.py ./
COPY seeds seeds
COPY index index
# The name of a published port is localhost; name others in ARTICLE_QA_ALLOWED_HOSTS.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 PORT=7860 NO_BROWSER=1 HF_HUB_OFFLINE=1 GRADIO_ANALYTICS_ENABLED=False \
    GRADIO_TEMP_DIR=/tmp/gradio ARTICLE_QA_FEEDBACK="" ARTICLE_QA_LOG_JSON=1
USER app
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/readyz', timeout=4)"]
CMD ["python", "app.py"]
