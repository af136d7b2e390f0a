# syntax=docker/dockerfile:1
# The image of Segue: the command line `segue` and the worker `segue-worker`, for docker-compose.yml and for any cluster.

FROM golang:1.26.8-trixie AS build
WORKDIR /src

# Dependencies first: they change seldom, and this layer then comes from the cache.
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

COPY . .
# Static (no C library in the image below), with the time zones inside, and without this machine's paths.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /out/segue ./starter && \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w" -o /out/segue-worker ./worker

# Nothing but the two programs and the certificates that calls over TLS are checked with: no shell, no packages, nothing
# to update. From scratch rather than distroless, whose static image holds the same but has no version to pin.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /usr/local/bin/
ENV PATH=/usr/local/bin
# As the user that distroless calls nonroot; a number, so that a cluster can see it is not root.
USER 65532:65532
CMD ["/usr/local/bin/segue-worker", "--config", "/etc/segue/segue.yaml"]
