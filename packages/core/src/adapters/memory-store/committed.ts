import type { ListPlace } from '../../plugin.js';
import { Layer } from './layer.js';
import { RowOrder } from './row-order.js';
import type { Cells } from './cells.js';

/** What has been committed, and nothing else: all that readers see. */
export class Committed {
  readonly layer = new Layer();
  readonly serverOrder = new RowOrder();
  readonly instanceOrder = new RowOrder();

  apply(changes: Layer): void {
    reorder(changes.servers, this.layer.servers, this.serverOrder);
    reorder(changes.instances, this.layer.instances, this.instanceOrder);
    changes.mergeInto(this.layer);
  }
}

function reorder<V extends ListPlace>(
  changes: Cells<string, V>,
  before: Cells<string, V>,
  order: RowOrder,
): void {
  for (const [id, row] of changes.changes()) {
    const old = before.get(id);
    if (old?.createdAt === row?.createdAt) continue;
    if (old !== undefined) order.remove(old);
    if (row !== undefined) order.add(row);
  }
}
