# API, worker and command line in one image; the command decides which of them runs.

FROM node:20-bookworm-slim AS build
WORKDIR /app
# ssh2's native part is compiled; without it the transfer falls back to slower JavaScript.
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
ENV TURBO_TELEMETRY_DISABLED=1
# Only what decides the dependencies, so that a change of the sources does not install them anew.
COPY package.json package-lock.json ./
COPY packages/shared/package.json packages/shared/
COPY packages/store/package.json packages/store/
COPY packages/ssh/package.json packages/ssh/
COPY packages/sandbox/package.json packages/sandbox/
COPY apps/api/package.json apps/api/
COPY apps/worker/package.json apps/worker/
COPY apps/cli/package.json apps/cli/
COPY apps/cli/bin apps/cli/bin
RUN npm ci --loglevel=warn
COPY . .
RUN npm run build && npm prune --omit=dev --loglevel=warn && rm -rf .turbo packages/*/src apps/*/src

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
# A new volume takes its owner from here.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
CMD ["node", "apps/api/dist/bundle/main.js"]
