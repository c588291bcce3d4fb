/** Sentences of the contract, word for word as the documented API and its clients know them. */
export const messages = {
  parametersOk: '校验和解析参数成功',
  parametersFailed: (why: string) => `校验和解析参数失败: ${why}`,
  executed: '执行完成',
  executing: '执行中',
  notExecuted: '未执行',
  tokenRefused: 'token校验不通过',
  noBody: 'post参数为空',
  noAction: 'action参数不能为空',
  missingParams: (action: string, list: string) => `当执行 ${action} 模块时,post参数为空,必须传参: ${list}`,
  unknownAction: (action: string) => `不支持的action参数: ${action}`,
  isDeploying: (name: string) => `(${name})--is deploying`,
  allFinished: (k: string) => `${k} 全部灰度发布完成`,
  inProgress: (k: string) => `${k} 灰度发布中`,
  batchFinished: (instances: string) => `${instances} have finshed deploy`,
  deployFinished: (k: string) => `${k} have deploy finshed`,
  dryRunFinished: (k: string) => `${k} dry run finshed, nothing was touched`,
} as const;
