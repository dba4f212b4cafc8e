import type { MCPServerInstance, MCPServerInstancePatch } from '@mcpinfra/core';
import { instanceCodec } from '@mcpinfra/core/plugin';
import { Router } from 'express';
import { callOptions, commandOptions } from '../call-options.js';
import type { Infra } from '../infra.js';
import { instanceFilter } from '../list-filter.js';
import { fromWire, pageToWire } from '../wire.js';
import { addUseRoutes } from './instance-use.js';
import { addPlanRoutes } from './plans.js';

type CreateInput = Parameters<Infra['instances']['create']>[0];

//#region instances
/** The configured copies: what runs. */
export function instanceRoutes({ instances }: Infra): Router {
  const routes = Router();
  const encode = (instance: MCPServerInstance): unknown => instanceCodec.encode(instance);

  routes.get('/', async (req, res) => {
    res.json(pageToWire(await instances.list(instanceFilter(req), callOptions(req, res)), encode));
  });

  routes.post('/', async (req, res) => {
    const instance = await instances.create(fromWire(req.body) as CreateInput, commandOptions(req, res));
    res.status(201).location(`${req.baseUrl}/${instance.id}`).json(encode(instance));
  });

  routes.get('/:id', async (req, res) => {
    res.json(encode(await instances.get(req.params.id, callOptions(req, res))));
  });

  routes.patch('/:id', async (req, res) => {
    const patch = fromWire(req.body) as MCPServerInstancePatch;
    res.json(encode(await instances.update(req.params.id, patch, commandOptions(req, res))));
  });

  routes.delete('/:id', async (req, res) => {
    await instances.delete(req.params.id, commandOptions(req, res));
    res.status(204).end();
  });

  for (const command of ['start', 'stop', 'restart'] as const) {
    routes.post(`/:id/${command}`, async (req, res) => {
      res.json(encode(await instances[command](req.params.id, commandOptions(req, res))));
    });
  }

  addPlanRoutes(routes, instances);
  addUseRoutes(routes, instances);
  return routes;
}
//#endregion
