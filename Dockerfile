# syntax=docker/dockerfile:1
# The spacey program with its GraphiQL bundle. One image for every shape: the command says which.
FROM node:20-slim AS graphiql
WORKDIR /build
COPY gateway/graphiql/package.json gateway/graphiql/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY gateway/graphiql/ ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
COPY --from=graphiql /build/dist gateway/graphiql/dist
# What was compiled of the dependencies is kept between builds, and is no part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --package spacey && cp target/release/spacey /spacey

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /var/lib/spacey spacey \
    && install -d -o spacey -g spacey -m 0700 /var/lib/spacey/data
COPY --from=build /spacey /usr/local/bin/spacey
USER 10001
WORKDIR /var/lib/spacey
VOLUME /var/lib/spacey/data
ENV SPACEY_HOST=0.0.0.0 SPACEY_DATA_DIR=/var/lib/spacey/data SPACEY_LOG_FORMAT=json
EXPOSE 8080
ENTRYPOINT ["spacey"]
CMD ["serve"]
