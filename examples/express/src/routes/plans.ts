import type { InstancePlan, MCPServerInstancePatch } from '@mcpinfra/core';
import type { Router } from 'express';
import { callOptions } from '../call-options.js';
import type { Infra } from '../infra.js';
import { fromWire, issuesToWire, toWire } from '../wire.js';

/** Routes that say what a create or an update would do, or everything that is wrong with it; they change nothing. */
export function addPlanRoutes(routes: Router, instances: Infra['instances']): void {
  const encode = (plan: InstancePlan): object => toWire({ ...plan, issues: issuesToWire(plan.issues) });

  routes.post('/plan', async (req, res) => {
    res.json(encode(await instances.plan({ create: fromWire(req.body) }, callOptions(req, res))));
  });

  routes.post('/:id/plan', async (req, res) => {
    const patch = fromWire(req.body) as MCPServerInstancePatch;
    res.json(encode(await instances.plan({ update: req.params.id, patch }, callOptions(req, res))));
  });
}
