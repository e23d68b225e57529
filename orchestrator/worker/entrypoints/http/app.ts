import { OpenAPIHono } from "@hono/zod-openapi";
import { version } from "../../../../shared/version.ts";
import { errorResponse, onError, onInvalid } from "./envelope.ts";
import type { HttpEnv } from "./httpEnv.ts";
import { limitBody, prepare, requireJson, requireToken } from "./middleware.ts";
import { accountRoutes } from "./routes/account.ts";
import { auditRoutes } from "./routes/audit.ts";
import { deadLetterRoutes } from "./routes/deadLetters.ts";
import { doctorRoutes } from "./routes/doctor.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoutes } from "./routes/health.ts";
import { patchRoutes } from "./routes/patches.ts";
import { projectRoutes } from "./routes/projects.ts";
import { providerRoutes } from "./routes/providers.ts";
import { taskRoutes } from "./routes/tasks.ts";

const openApi = {
  openapi: "3.1.0",
  info: {
    title: "Switchyard",
    version,
    description: "Hand over a coding task, follow the agent, get a verified commit.",
  },
};

/** The HTTP face. */
export function httpApp(): OpenAPIHono<HttpEnv> {
  const app = new OpenAPIHono<HttpEnv>({ defaultHook: onInvalid });
  app.onError(onError);
  app.use(prepare);
  app.use(limitBody);
  app.use(requireJson);
  app.use("/api/*", requireToken);

  healthRoutes(app);
  taskRoutes(app);
  eventRoutes(app);
  patchRoutes(app);
  projectRoutes(app);
  providerRoutes(app);
  accountRoutes(app);
  deadLetterRoutes(app);
  doctorRoutes(app);
  auditRoutes(app);

  app.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
  });
  app.doc31("/openapi.json", openApi);
  app.get("/", (c) =>
    c.json({ name: "switchyard", version, api: "/api/v1", openapi: "/openapi.json" }),
  );
  app.notFound((c) =>
    errorResponse(
      c,
      "route_not_found",
      `There is nothing at ${c.req.method} ${c.req.path}. /openapi.json lists what there is.`,
    ),
  );
  return app;
}
