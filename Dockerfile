# Pantau in one container: node_modules are the locked ones, no install script runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
COPY devices devices
COPY simulators simulators
COPY scripts scripts
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production PANTAU_DATA=/data PANTAU_MQTT_HOST=0.0.0.0 PANTAU_HTTP_HOST=0.0.0.0
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY simulators/replay simulators/replay
COPY simulators/scenario/scenarios simulators/scenario/scenarios
COPY config config
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 1883 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/api/v1/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# SIGTERM reaches Node itself, which stops in order.
CMD ["node", "--single-threaded-gc", "dist/apps/pantau/src/main.js", "start"]
