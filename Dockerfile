# syntax=docker/dockerfile:1
# The image of Segue: the command line `segue` and the worker `segue-worker`, for docker-compose.yml and any cluster.

FROM golang:1.26.8-trixie AS build
WORKDIR /src

ENV GOCACHE=/go/build

# Dependencies first: they seldom change, so this layer usually comes from the cache.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

COPY . .
# Statically linked (the image below has no C library), with the time zones, and without paths of the build machine.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/go/build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /out/segue ./starter && \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /out/segue-worker ./worker

# Only the two programs, and the certificates that TLS needs: no shell, no packages, nothing to update. From scratch
# instead of distroless, whose static image has the same content but no version to pin.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
# The user that distroless calls nonroot, as a number so that a cluster can verify that it is not root.
USER 65532:65532
CMD ["/usr/local/bin/segue-worker", "--config", "/etc/segue/segue.yaml"]
