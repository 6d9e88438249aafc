# docker build -t flowlet . && docker run -p 8080:8080 -p 127.0.0.1:8081:8081 -v flowlet:/var/lib/flowlet flowlet
#
# Docker's default seccomp profile keeps workers from making namespaces of their own; their other layers (system calls,
# no new privileges, no descriptors) hold, and the server says so at its start.
FROM debian:12 AS build
WORKDIR /src
COPY . .
RUN tools/setup build && apt-get install -y --no-install-recommends dpkg-dev && make deb DEB=/flowlet.deb

FROM debian:12-slim
COPY --from=build /flowlet.deb /tmp/flowlet.deb
RUN apt-get update \
    && apt-get install -y --no-install-recommends /tmp/flowlet.deb \
    && rm -rf /var/lib/apt/lists/* /tmp/flowlet.deb
USER flowlet
ENV FLOWLET_DATA=/var/lib/flowlet FLOWLET_LISTEN=0.0.0.0:8080 FLOWLET_CONSOLE=0.0.0.0:8081
VOLUME /var/lib/flowlet
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8081 && printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r answer <&3 && [[ $answer == *' 200 '* ]]"]
ENTRYPOINT ["flowlet"]
CMD ["serve"]
