import type { MCPServerInput } from '@mcpinfra/core';
import { serverCodec } from '@mcpinfra/core/plugin';
import { Router } from 'express';
import { callOptions } from '../call-options.js';
import type { Infra } from '../infra.js';
import { serverFilter } from '../list-filter.js';
import { fromWire, pageToWire } from '../wire.js';

//#region servers
/** The definitions: what can run. */
export function serverRoutes({ servers }: Infra): Router {
  const routes = Router();

  routes.get('/', async (req, res) => {
    const page = await servers.list(serverFilter(req), callOptions(req, res));
    res.json(pageToWire(page, (server) => serverCodec.encode(server)));
  });

  routes.post('/', async (req, res) => {
    const server = await servers.register(fromWire(req.body) as MCPServerInput, callOptions(req, res));
    res.status(201).location(`${req.baseUrl}/${server.id}`).json(serverCodec.encode(server));
  });

  routes.get('/:id', async (req, res) => {
    res.json(serverCodec.encode(await servers.get(req.params.id, callOptions(req, res))));
  });

  routes.patch('/:id', async (req, res) => {
    const rollout = req.query['rollout'] === 'rolling' ? 'rolling' : 'none';
    const options = { ...callOptions(req, res), rollout } as const;
    const patch = fromWire(req.body) as Partial<MCPServerInput>;
    res.json(serverCodec.encode(await servers.update(req.params.id, patch, options)));
  });

  routes.delete('/:id', async (req, res) => {
    const cascade = req.query['cascade'] === 'true';
    await servers.delete(req.params.id, { ...callOptions(req, res), cascade });
    res.status(204).end();
  });

  return routes;
}
//#endregion
