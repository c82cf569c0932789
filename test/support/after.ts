console.log('after')
