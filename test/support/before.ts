console.log('before', process.pid)
