import { z } from 'zod';
import { isErrorCode, PosetwinError } from '../errors.ts';

/** What may be asked, and what comes back: method → schemas of both directions. */
export type BridgeContract = Readonly<Record<string, { readonly params: z.ZodType; readonly result: z.ZodType }>>;
export type MethodOf<C extends BridgeContract> = keyof C & string;
export type ParamsOf<C extends BridgeContract, M extends MethodOf<C>> = z.input<C[M]['params']>;
export type ResultOf<C extends BridgeContract, M extends MethodOf<C>> = z.output<C[M]['result']>;

const Envelope = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), value: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      hint: z.string().nullable(),
      traceback: z.string(),
    }),
  }),
]);
type Failure = Extract<z.output<typeof Envelope>, { ok: false }>['error'];

const violation = (method: string, what: string, cause: unknown): PosetwinError =>
  new PosetwinError('bridge_contract', `${method}: ${what}`, { path: method, cause });

/** `value` checked against its side of the contract. Throws `bridge_contract`. */
export const checkValue = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  method: string,
  side: string,
): z.output<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw violation(method, `${side} are not as agreed\n${z.prettifyError(parsed.error)}`, parsed.error);
};

/** JSON would turn NaN and infinity into null without a word. */
const refuseNonFinite = (_key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} is not JSON`);
  return value;
};

/** The one string that is sent. Throws `bridge_contract`. */
export const encodeParams = (method: string, params: unknown): string => {
  try {
    return JSON.stringify(params, refuseNonFinite);
  } catch (error) {
    throw violation(method, 'its parameters cannot cross the bridge', error);
  }
};

const toError = (method: string, { code, message, hint, traceback }: Failure): PosetwinError =>
  new PosetwinError(isErrorCode(code) ? code : 'python_error', `${method}: ${message}`, {
    path: method,
    traceback,
    ...(hint === null ? {} : { hint }),
  });

/** What Python answered. Throws Python's own error with its code, else `python_error`, else `bridge_contract`. */
export const decodeAnswer = (method: string, text: string): unknown => {
  const answer = checkValue(Envelope, JSON.parse(text), method, 'the words around the answer');
  if (!answer.ok) throw toError(method, answer.error);
  return answer.value;
};
