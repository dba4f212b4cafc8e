import { once } from 'node:events';
import type { Router } from 'express';
import { callOptions } from '../call-options.js';
import type { Infra } from '../infra.js';

//#region use
/** Routes to the tools and the log of an instance. */
export function addUseRoutes(routes: Router, instances: Infra['instances']): void {
  routes.get('/:id/tools', async (req, res) => {
    res.json({ items: await instances.tools(req.params.id, callOptions(req, res)) });
  });

  routes.post('/:id/tools/:tool', async (req, res) => {
    const { id, tool } = req.params;
    const args = req.body as Record<string, unknown> | undefined;
    const { signal, idempotencyKey } = callOptions(req, res);
    res.json(await instances.callTool(id, tool, args, { signal, idempotencyKey }));
  });

  // One JSON object a line; with ?follow=true it goes on until the client goes away.
  routes.get('/:id/logs', async (req, res) => {
    const options = callOptions(req, res);
    const tail = req.query['tail'] === undefined ? undefined : Number(req.query['tail']);
    const query = { tail, follow: req.query['follow'] === 'true' };
    res.type('application/x-ndjson');
    for await (const line of instances.logs(req.params.id, query, options)) {
      if (!res.write(`${JSON.stringify(line)}\n`)) await once(res, 'drain', options);
    }
    res.end();
  });
}
//#endregion
