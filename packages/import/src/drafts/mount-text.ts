/** A mount of a document. */
interface Mount {
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
}

/** Reads a mount as `docker run` takes it: `source:target:ro` after -v, `type=bind,src=…,dst=…,readonly` after --mount. */
export function mountOf(text: string, syntax: 'volume' | 'mount'): Mount | undefined {
  if (syntax === 'volume') {
    const [source, target, mode = ''] = text.split(':');
    return source && target ? { source, target, read_only: mode.split(',').includes('ro') } : undefined;
  }
  const members = new Map(
    text.split(',').map((member) => [member.split('=', 1)[0], member.slice(member.indexOf('=') + 1)]),
  );
  const source = members.get('source') ?? members.get('src');
  const target = members.get('target') ?? members.get('dst') ?? members.get('destination');
  const readOnly = members.has('readonly') || members.has('ro');
  return source !== undefined && target !== undefined ? { source, target, read_only: readOnly } : undefined;
}
