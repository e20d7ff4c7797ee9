import { z } from 'zod';
import { Fraction, PositiveInt } from './primitives.ts';

const singular = {
  singular: z
    .enum(['error', 'drop', 'clamp'])
    .default('error')
    .describe('What to do with steps where Q, w(t), 1/(1-alphas_cumprod) or 1/sqrt(alphas_cumprod) is infinite.'),
  eps: z.number().gt(0).lt(0.1).default(1e-6).describe('Distance kept from 0 and 1 under `singular: clamp`.'),
};

const numSteps = (max: number) =>
  PositiveInt.max(max).default(50).describe('T of the method: the number of diffusion steps; 50 in the paper.');

const pretrained = <K extends string>(kind: K, beta_start: number, beta_end: number) =>
  z.strictObject({
    kind: z.literal(kind),
    num_steps: numSteps(1000),
    spacing: z.enum(['trailing', 'leading', 'linspace']).default('trailing'),
    num_train_timesteps: PositiveInt.max(1000).default(1000),
    beta_start: Fraction.default(beta_start),
    beta_end: Fraction.default(beta_end),
    ...singular,
  });

const Arithmetic = z.strictObject({
  kind: z.literal('arithmetic'),
  num_steps: numSteps(10_000),
  of: z.enum(['alphas', 'betas', 'alphas_cumprod']).default('alphas').describe('What runs from `start` to `end`.'),
  order: z.enum(['ascending', 'descending']).default('ascending'),
  start: Fraction.default(0.00002),
  end: Fraction.default(1),
  ...singular,
});

const List = z.strictObject({
  kind: z.literal('list'),
  of: z.enum(['alphas', 'betas', 'alphas_cumprod']).default('alphas'),
  values: z.array(Fraction).min(1).max(10_000).describe('One value for each step, t = 1 (cleanest) first.'),
  ...singular,
});

/** The alpha schedule: a pretrained one under its diffusers name, respaced to T; an arithmetic progression; a list. */
export const Schedule = z.discriminatedUnion('kind', [
  pretrained('scaled_linear', 0.00085, 0.012),
  pretrained('linear', 0.0001, 0.02),
  pretrained('squaredcos_cap_v2', 0.0001, 0.02),
  Arithmetic,
  List,
]);
export type Schedule = z.output<typeof Schedule>;
