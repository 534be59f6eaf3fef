# The demo in a container: for macOS (docker run puts it on Linux, where it belongs) and wherever nothing may be installed.
#
#   docker build -t round-robin .
#   docker run --rm -it round-robin                         the demo
#   docker run --rm -it round-robin --step                  with its flags
#   docker run --rm -it -p 8080:8080 --entrypoint rr-sim round-robin up --listen 0.0.0.0:8080
#
# A default container forbids user namespaces, so rr-sim stands on the plain ground here and says so; with
# `--security-opt seccomp=unconfined --cap-add SYS_ADMIN` it takes the namespaces ground.

FROM debian:12 AS build
COPY tools/setup /source/tools/setup
RUN /source/tools/setup --for demo
COPY . /source
RUN cd /source && tools/build release rr-programs && cmake --install build/release --prefix /out --strip

FROM debian:12-slim
# The programs' shared libraries, and what the demo tells people to paste.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends \
      curl iproute2 libboost-program-options1.74.0 libfmt9 libpugixml1v5 libre2-9 libssl3 libuv1 libyaml-cpp0.7 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/bin/ /usr/local/bin/
RUN useradd --create-home visitor
USER visitor
WORKDIR /home/visitor
ENV TERM=xterm-256color
ENTRYPOINT ["rr-sim", "demo"]
