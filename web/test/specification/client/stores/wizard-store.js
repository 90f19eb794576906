import { createStore } from './store.js';

export const useWizardStore = createStore((set) => ({
  meta: { brandId: null, activeJobId: null },
  jobResult: null,
  jobError: null,
  setJobResult: (jobResult) => set({ jobResult }),
  setJobError: (jobError) => set({ jobError }),
  setActiveJob: () => {},
}));
