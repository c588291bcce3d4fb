export { sshSettings } from '@rexdeploy/ssh/settings';
