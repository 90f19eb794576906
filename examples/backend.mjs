// The same back end in Node, without a framework; `npm install standardwebhooks`.
//   BMN_TOKEN=$(bmn token) node backend.mjs
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const { BMN_TOKEN, BMN_API_URL = "http://127.0.0.1:3000", TOKEN_SECONDS = "900" } = process.env;
const PORT = Number(process.env.PORT ?? 4000);
const PAGES = (process.env.PAGES ?? "http://localhost:5173").split(",");
const HOOK = { webhookUrl: `http://127.0.0.1:${PORT}/hook` };
const heard = new Map(); // webhook-id -> what it said; a delivery that comes twice has the same id

// bmn's answer. A refusal is passed on: its words are meant for people.
async function ask(method, path, body) {
  const headers = { Authorization: `Bearer ${BMN_TOKEN}`, "Content-Type": "application/json" };
  const answer = await fetch(`${BMN_API_URL}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status });
  return said;
}

// Your own sign-in goes before each of these, and says whose brand it is.
const ROUTES = {
  "POST /brands": async (_, { name }) => {
    const { id: brandId } = await ask("POST", "/brands", { name });
    const { jobId } = await ask("POST", "/generation/logos", { brandId, ...HOOK });
    return { brandId, jobId };
  },
  "POST /brands/:brand/pick/:asset": async ([brandId, asset]) => {
    const { url: logoUrl } = await ask("POST", `/assets/${asset}/select`);
    const { products } = await ask("GET", "/products");
    const { id: productId, name: productName, category: productCategory } = products.find(({ slug }) => slug === "mug");
    const body = { brandId, logoUrl, products: [{ productId, productName, productCategory }], ...HOOK };
    return { jobId: (await ask("POST", "/generation/mockups", body)).jobs[0].jobId };
  },
  "POST /jobs/:job/cancel": ([job]) => ask("POST", `/jobs/${job}/cancel`),
  "POST /jobs/:job/retry": ([job]) => ask("POST", `/jobs/${job}/retry`),
  "POST /brands/:brand/token": ([brandId]) => ask("POST", "/tokens", { brandId, expiresIn: Number(TOKEN_SECONDS) }),
  "POST /hook": async (_, __, { headers, text }) => {
    const { key } = await ask("GET", "/webhooks/default/secret");
    const said = new Webhook(key).verify(text, headers); // throws for anybody else's
    heard.set(headers["webhook-id"], `${said.type} ${said.data.jobId}`);
  },
  "GET /heard": () => [...heard.values()],
};

async function handle(request) {
  const asked = `${request.method} ${request.url}`;
  for (const [route, run] of Object.entries(ROUTES)) {
    const found = new RegExp(`^${route.replace(/:\w+/g, "([\\w-]+)")}$`).exec(asked);
    if (!found) continue;
    const text = Buffer.concat(await request.toArray()).toString();
    const body = text && !asked.endsWith("/hook") ? JSON.parse(text) : {};
    return [200, await run(found.slice(1), body, { headers: request.headers, text })];
  }
  return request.method === "OPTIONS" ? [204] : [404, { detail: "There is nothing here." }];
}

createServer(async (request, response) => {
  const origin = PAGES.includes(request.headers.origin) ? { "Access-Control-Allow-Origin": request.headers.origin } : {};
  const [status, said] = await handle(request).catch((error) => [error.status ?? 401, { detail: error.message }]);
  response.writeHead(status, { "Content-Type": "application/json", "Access-Control-Allow-Headers": "*", ...origin });
  response.end(status === 204 ? "" : JSON.stringify(said ?? null));
}).listen(PORT, "127.0.0.1");
