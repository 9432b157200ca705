# The image holds the program and nothing else. Settings come from the environment or a mounted file, certificates from a
# mounted folder; docs/docker.md tells how it is built and run.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY client_example/browser client_example/browser
COPY src src
# The caches hold what was downloaded and compiled before; only roomcast itself is always compiled, whatever the times of
# its files say. crt-static links glibc into the program, which then needs no file beside itself.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    touch src/lib.rs src/main.rs \
    && cargo rustc --release --locked --bin roomcast -- -C target-feature=+crt-static -C strip=debuginfo \
    && cp target/release/roomcast /roomcast

FROM scratch
LABEL org.opencontainers.image.title="roomcast" \
    org.opencontainers.image.description="Socket.IO-compatible pub/sub gateway" \
    org.opencontainers.image.licenses="MIT"
COPY --from=build /roomcast /usr/bin/roomcast
# .env and relative paths are looked for here.
WORKDIR /etc/roomcast
# What a burst of large events took goes back to the system when they are sent; else the C library keeps it.
ENV MALLOC_MMAP_THRESHOLD_=32768
USER 65532:65532
EXPOSE 2053 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["/usr/bin/roomcast", "healthcheck"]
ENTRYPOINT ["/usr/bin/roomcast"]
CMD ["serve"]
