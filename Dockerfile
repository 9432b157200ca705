# Settings come from the environment, certificates from a volume; neither is in the image:
#   docker build -t roomcast .
#   docker run --ulimit nofile=1048576 --env-file roomcast.env -v /etc/roomcast/certs:/certs:ro -p 2053:2053 -p 8443:8443 roomcast
# The user 10001 must be able to read the certificates.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY client_example/browser client_example/browser
COPY src src
RUN cargo build --release --locked --bin roomcast

FROM debian:bookworm-slim
COPY --from=build /src/target/release/roomcast /usr/bin/roomcast
USER 10001:10001
EXPOSE 2053 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/bin/roomcast", "healthcheck"]
ENTRYPOINT ["/usr/bin/roomcast"]
CMD ["serve"]
