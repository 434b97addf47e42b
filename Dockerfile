# The service in a container:
#
#   docker build -t albef .
#   docker run -p 8080:8080 -v "$PWD/photos:/photos:ro" -v albef:/data albef
#
# indexes and serves /photos, which the user with id 10001 must be able to read. To use your own
# model: -v "$PWD/model:/model:ro" … albef --model /model
FROM swift:6.1-bookworm AS build
WORKDIR /source
COPY Scripts Scripts
RUN Scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY Benchmarks/Sources/measure Benchmarks/Sources/measure
COPY Examples/library/Sources Examples/library/Sources
RUN swift build -c release --product albef
COPY README.md CHANGELOG.md SECURITY.md LICENSE NOTICE ./
COPY Documentation Documentation
COPY Examples Examples
RUN DESTDIR=/installed Scripts/install /usr/local

# The installed files need neither Swift nor Python.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4 libjpeg62-turbo libvips42 ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /data albef
COPY --from=build /installed/usr/local /usr/local
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "-fsS", "http://127.0.0.1:8080/health/live"]
ENTRYPOINT ["/usr/local/bin/albef", "serve", "--host", "0.0.0.0", "--index", "/data/index"]
CMD ["--photos", "/photos"]
