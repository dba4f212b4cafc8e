import { randomBytes } from 'node:crypto';

/** A value that nothing else on the machine contains; a hit names the door it went in by. */
export interface Canary {
  readonly door: string;
  readonly value: string;
  /** Every form in which a part of the value that is its own can be written. */
  readonly forms: readonly string[];
}

/** Makes the value of a door. Its core survives URL encoding and JSON escaping as it is, what is around it does not. */
export function makeCanary(door: string): Canary {
  const core = randomBytes(8).toString('hex');
  const bytes = Buffer.from(core);
  const inBase64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The characters that do not depend on what stands before and behind.
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  return { door, value: `c&n@ry/${core}+=`, forms: [core, bytes.toString('hex'), ...inBase64] };
}

/** The doors whose values a text holds, in any form. */
export function doorsIn(text: string, canaries: readonly Canary[]): readonly string[] {
  return canaries.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ door }) => door);
}
