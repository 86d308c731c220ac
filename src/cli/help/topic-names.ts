/** What `tunnel help` knows besides the commands; topics.ts has the texts. */
export const topicNames = ['forwards', 'routes', 'wireguard', 'config', 'exit-codes'] as const;

export type TopicName = (typeof topicNames)[number];
