# The spacey program with its GraphiQL bundle. One image for every shape: the command says which.
FROM node:20-slim AS graphiql
WORKDIR /build
COPY gateway/graphiql/ ./
RUN npm ci --no-audit --no-fund && npm run build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
COPY --from=graphiql /build/dist gateway/graphiql/dist
RUN cargo build --release --locked --package spacey

FROM debian:bookworm-slim
RUN useradd --system --create-home --home-dir /var/lib/spacey spacey
COPY --from=build /build/target/release/spacey /usr/local/bin/spacey
USER spacey
WORKDIR /var/lib/spacey
ENV SPACEY_HOST=0.0.0.0 SPACEY_DATA_DIR=/var/lib/spacey/data SPACEY_LOG_FORMAT=json
EXPOSE 8080
ENTRYPOINT ["spacey"]
CMD ["serve"]
