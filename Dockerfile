# The service in a container:
#
#   docker build -t albef .
#   docker run -p 8080:8080 -v "$PWD/photos:/photos:ro" -v albef:/data albef
#
# indexes /photos, which the user with id 10001 must be able to read, and serves it. A model of your own: -v "$PWD/model:/model:ro" … albef --model /model
FROM swift:6.1-bookworm AS build
# The linker notes where libtorch is: both stages use one path.
WORKDIR /opt/albef
COPY Scripts Scripts
RUN Scripts/bootstrap && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product albef \
    && mkdir -p runtime/.libtorch/torch/lib \
    && cp .build/release/albef runtime/ \
    && cp -r .build/release/swift-albef_Retrieval.resources \
        .build/release/swift-albef_AlbefCommand.resources runtime/ \
    && cp -P .libtorch/torch/lib/*.so* runtime/.libtorch/torch/lib/

FROM swift:6.1-bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjpeg62-turbo libvips42 curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /data albef
COPY --from=build /opt/albef/runtime /opt/albef
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "-fsS", "http://127.0.0.1:8080/health/live"]
ENTRYPOINT ["/opt/albef/albef", "serve", "--host", "0.0.0.0", "--index", "/data/index"]
CMD ["--photos", "/photos"]
