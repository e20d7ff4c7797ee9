/** Readings of the method that would have no effect beside others: their writer expects them to do something. */
import type { Method } from '../contracts/method.ts';
import { idle, type Refusal, type Rule, usual } from './rules.ts';

/** `key` may leave its default only where `wanted` holds; `needed` is what to write for that. */
const needs = (key: keyof Method, wanted: (method: Method) => boolean, needed: string): Rule => ({
  reads: ['method'],
  check: ({ method }): Refusal | undefined =>
    wanted(method) ? undefined : idle(`method.${key}`, method[key], usual.method[key], needed),
});

const hasPicture = ({ objective }: Method): boolean => objective !== 'score';
const picture = 'objective: patent, score+pose or patent+scene';

export const methodRules: readonly Rule[] = [
  needs('scene_weight', ({ objective }) => objective === 'patent+scene', 'objective: patent+scene'),
  needs('score_weight', ({ objective }) => objective === 'score+pose', 'objective: score+pose'),
  needs('pose_residual', hasPicture, picture),
  needs('target', hasPicture, picture),
  needs('image_at_t', hasPicture, picture),
  needs('one_step', method => hasPicture(method) && method.image_at_t === 'one_step', 'image_at_t: one_step'),
  needs(
    'sampler',
    ({ latents, image_at_t }) => latents.source === 'trajectory' || image_at_t === 'state',
    'latents.source: trajectory, or image_at_t: state',
  ),
  {
    reads: ['method'],
    // x_t is the noise itself for both routes: there is nothing to share.
    check: ({ method: { latents } }) =>
      latents.source === 'pure-noise'
        ? idle('method.latents.state', latents.state, usual.method.latents.state, 'another latents.source')
        : undefined,
  },
];
