import { updateProfiles } from '../../../src/config/profiles/profile-store.ts';

/** Saves profiles one after the other: PREFIX0, PREFIX1… */
const [prefix = '', count = '0'] = process.argv.slice(2);
for (let i = 0; i < Number(count); i++) {
  await updateProfiles(
    (profiles) => ({ ...profiles, [`${prefix}${i}`]: { description: 'x'.repeat(2000) } }),
    (message) => {
      throw new Error(message);
    },
  );
}
