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
# The bundled models need no torch; 1 keeps what an embedding model or reader of another name needs.
ARG NAMED_MODELS=0
# Byte code stays: a read-only root can keep none, and each start would compile thousands of files.
RUN pip install ".[${EXTRAS}]" && if [ "$NAMED_MODELS" != 1 ]; then \
      pip uninstall -y torch transformers sentence-transformers sympy mpmath networkx; fi

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
  ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=4)"]
CMD ["python", "app.py"]
