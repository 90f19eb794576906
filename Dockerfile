# One image for every process: `bmn serve --no-workers`, `bmn worker QUEUE`, `bmn db upgrade`.
# It holds bmn and its pins; no sandbox, no typefaces, no pip. Nothing in it is written to but /var/lib/bmn and /tmp.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/bmn
COPY requirements.txt ./
RUN pip --python /opt/bmn/bin/python install --no-cache-dir -r requirements.txt
COPY pyproject.toml setup.py redis.conf README.md LICENSE ./
COPY bmn bmn
# The extra's packages are not in requirements.txt; whatever is, stays as it is pinned.
RUN pip --python /opt/bmn/bin/python install --no-cache-dir -c requirements.txt '.[observability]'

FROM python:3.13-slim-bookworm
RUN useradd --system --create-home --home-dir /var/lib/bmn --shell /usr/sbin/nologin bmn
COPY --from=build /opt/bmn /opt/bmn
ENV PATH=/opt/bmn/bin:$PATH PYTHONUNBUFFERED=1 BMN_ENV=production BMN_HOME=/var/lib/bmn BMN_HOST=0.0.0.0
USER bmn
WORKDIR /var/lib/bmn
VOLUME /var/lib/bmn
EXPOSE 3000
STOPSIGNAL SIGTERM
ENTRYPOINT ["bmn"]
CMD ["serve", "--no-workers", "--no-sandbox"]
